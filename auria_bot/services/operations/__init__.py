"""Operations: backups, maintenance, health and notifications."""
