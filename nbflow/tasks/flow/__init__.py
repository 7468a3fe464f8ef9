"""Flowable task types: they run other tasks, in some order, and do no work of their own."""
