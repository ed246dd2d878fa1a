"""What a module's author writes: messages, providers, migrations."""
