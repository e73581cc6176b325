"""MCP server for a fleet of DigitalOcean Paperspace machines. The house is described in server/README.md."""

__version__ = "0.1.0"
