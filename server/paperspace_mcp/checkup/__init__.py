"""What `doctor` looks at. Each part gives rows; nothing here changes anything, and no row holds a secret."""
