"""What a classifier learns from the training images themselves, one file per kind of classifier.

A file's `losses(classifier, step, *, importance_sampling, feature_similarity, ...)` returns
scalars: `loss` with gradient, and `classification` and the other terms for the log.
"""
