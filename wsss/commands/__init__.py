"""What the subcommands of `wsss` do; like a workflow script, a command joins rooms."""
