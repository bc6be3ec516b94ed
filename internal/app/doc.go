// Package app wires Cordon: it is the only package that knows all the others.
//
//	a, err := app.New(cfg, app.Options{})   // keys, ledger, gates, index: nothing listens yet
//	err = a.Start(ctx)                      // listeners
//	a.Addresses()                           // where, also with port 0
//	err = a.Stop(ctx)                       // drains, settles, closes
//
// Run is the three of them for a main function.
//
// The order of New is a promise. The ledger is opened and its heads compared
// before anything can be forwarded (promise 5). The gates are loaded before a
// listener opens, so that a vendor that was cut is cut from the first
// connection on (promise 2).
package app
