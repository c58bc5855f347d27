"""The kinds of people a load test is made of, over public doors only."""
