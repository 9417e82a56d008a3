"""Every published number as an entry: recomputed where that is possible, told as not run where not."""
