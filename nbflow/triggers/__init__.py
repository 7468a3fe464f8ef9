"""The triggers and conditions that come with nbflow. The registry imports them by name; nothing else does."""
