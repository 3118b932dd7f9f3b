"""How a workspace lives: the command line and what it does through the Automation API."""
