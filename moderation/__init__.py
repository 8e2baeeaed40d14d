"""What only staff see: accounts, the queue, decisions, routing to lead units, exports."""
