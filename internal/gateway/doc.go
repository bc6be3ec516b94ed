// Package gateway is the way of a message: from an app, past the gate, through
// classification and minimisation, into the ledger, and only then to the vendor.
//
// The order is a matter of types (see pipeline.go). A vendor.Route is needed to
// make classify.Findings, those to make a minimize.Cleared, that to obtain a
// ledger.Receipt, and both to call forward, which is the only code that holds a
// connection to a vendor and which redeems the receipt before the first byte.
//
// The front ends in httproute and proxy make an Exchange of what a client
// sent and hand it to Serve. They stand behind package guard, which lets
// nothing through that two HTTP parsers could read differently. Package
// upstream speaks HTTP/1.1 to the vendors.
package gateway
