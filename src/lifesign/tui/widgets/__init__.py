"""Line-API widgets: they turn lines of (text, role) into strips, and repaint only what changed."""
