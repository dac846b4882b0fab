"""What people do about rules: modes, reload, reports, explanations, replays."""
