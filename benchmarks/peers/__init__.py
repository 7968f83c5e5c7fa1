"""Measures the export beside what a user would pick instead, on two days, and who is in the audience after.

`python -m benchmarks.peers` is the command (`__main__`). Each peer is a small program as a competent user of
its tool would write it, and runs from a virtual environment that has its pinned packages and nothing of ours.
"""
