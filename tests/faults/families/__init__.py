"""What several recipes share: the healthy target that they break."""
