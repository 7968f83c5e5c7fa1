"""What the plugin is held to, with a stand-in of its service and nothing of the core that is not public."""
