"""What touches the world: the only HTTP, and the store."""
