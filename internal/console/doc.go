// Package console is the web page of a running Cordon: what every vendor is
// getting at this moment, how many people that concerns, and the button that
// cuts it off.
//
// Pages are drawn on the server with html/template from one typed struct each.
// They read and cut without JavaScript; with it, htmx keeps the figures fresh.
// Nothing is loaded from anywhere else, which the Content-Security-Policy also
// demands: no inline script, no inline style, no foreign origin.
package console
