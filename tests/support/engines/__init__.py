"""Firefox and WebKit, driven without Playwright, whose builds of them are not those of people."""
