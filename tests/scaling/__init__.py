"""What a lab of any size needs: computed from measured costs, and simulated."""
