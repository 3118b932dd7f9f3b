"""What every package uses: errors, locks, checks, disk usage."""
