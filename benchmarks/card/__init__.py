"""What the model card of `mini` measures, one module a subject; `benchmarks/mini_card.py` runs them."""
