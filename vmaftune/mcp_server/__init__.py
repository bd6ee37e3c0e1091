"""The MCP server: tools that give scores and searches to assistants, each call a process of its own. See docs/mcp.md."""
