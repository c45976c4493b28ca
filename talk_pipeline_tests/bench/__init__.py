"""Benchmarks: ratios against a floor or against themselves at another size, in the same run; never a gate.

`python -m talk_pipeline_tests.bench [name ...]` prints them and writes `bench.json` to the data folder.
"""
