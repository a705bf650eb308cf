"""Evidence for what the documentation says: not part of the product, and not installed with it.

`benchmarks` measures the tap beside other extractors, and `targets` compares what arrives in each
target with what the tap wrote.
"""
