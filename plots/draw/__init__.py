"""How all figures look: style, canvas of matplotlib, gnuplot, labels."""
