"""A stand-in for the part of Twilio's REST API, 2010-04-01, that call recordings need. See README.md."""
