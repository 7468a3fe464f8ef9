"""The task runners that come with nbflow: where the commands of scripts run. The registry imports them by name."""
