"""A file per figure, listed in plots/report.py. Each states of itself

    PREFIX       how the names of its files begin, or a tuple of such beginnings
    LIBRARY      what it is drawn with: matplotlib or gnuplot
    NEEDS        the kinds of rows without which there is nothing to draw; "retention": lines of scenarios
    TITLE        of its section of the page
    READING      HTML below it on the page: how to read it; "" where what stands beside it says so
    INTERACTIVE  the part of the page's data (plots/page/data.py) that the page draws it from; only where the page does

and has draw(run, run_looks, folder), which writes NAME.svg and NAME.png for each of its pictures, from gnuplot NAME.gp too,
and returns [(NAME, title)].
"""
