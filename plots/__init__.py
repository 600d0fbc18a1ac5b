"""What draws: figures of a run and its report. rows/ reads, draw/ has the style, figures/ and page/ stand on both."""
