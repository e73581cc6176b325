"""The guard's rules: what may happen, what must be typed, when an approval counts. No word of the provider."""
