"""Light curves: sums over stacks of integrations, their times, trends and scatter."""
