"""The `octoflow` command: a folder for each thing that a person does with automations."""
