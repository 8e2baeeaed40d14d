"""The benchmarks: CPU-milliseconds per request of the product, divided by those of a bare Flask view (`x ok`)."""
