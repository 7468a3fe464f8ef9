"""The task type that runs notebooks, in kernels kept warm. `inside` is what a notebook says to the flow that runs it.

loading ─► parameters ─► preparing ─► execution (outputs, progress) ─► saving (scrubbing, budget) ─► html
                                           └─► parking: the kernel of a notebook that failed lives on, to be resumed
"""
