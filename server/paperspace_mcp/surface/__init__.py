"""What MCP sees: tools, consent, resources, views and wording. Never httpx, never a store's engine."""
