"""One exchange's private API: requests, answers, reports, pages, clock and rights."""
