"""Who attends: applications, categories, seats, delegations."""
