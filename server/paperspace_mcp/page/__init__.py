"""The approval page: a person sees the questions of their own calls and decides them, in a browser, without scripts."""

from paperspace_mcp.page.deciding import Page
from paperspace_mcp.page.routes import page_routes

__all__ = ["Page", "page_routes"]
