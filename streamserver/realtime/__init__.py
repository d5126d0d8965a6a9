"""The live conversation over Socket.IO: who is watching a room, and what each viewer has been told."""
