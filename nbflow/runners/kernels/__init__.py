"""Jupyter kernels, started in advance and each used once. Tasks reach them through `nbflow.plugins.kernels`."""

from nbflow.runners.kernels.kernel import Kernel
from nbflow.runners.kernels.pool import KernelPool, pool_of_loop

__all__ = ["Kernel", "KernelPool", "pool_of_loop"]
