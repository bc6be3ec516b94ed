package vault

// The files of a keys folder, and the names of the same things in a bundle.
const (
	identityKey   = "identity.key"  // HMAC of identifiers
	directoryKey  = "directory.key" // AEAD of directory ids
	tokenKey      = "token.key"     // root of token and alias keys
	ledgerKey     = "ledger.key"    // signer of checkpoints
	checkpointPub = "checkpoint.pub"
	contactsKey   = "contacts.key" // opens sealed contacts; better kept elsewhere
	contactsPub   = "contacts.pub"
	caKey         = "ca.key"
	caCert        = "ca.pem"
	ageIdentity   = "age.identity" // opens secrets named age:FILE
)

// ledgerNames are the keys under which entries are written. For an existing
// ledger they cannot be made anew: it would no longer find its people, nor
// be believed.
var ledgerNames = []string{identityKey, directoryKey, tokenKey, ledgerKey, contactsPub}

// public files may be read by anybody.
var public = map[string]bool{checkpointPub: true, contactsPub: true, caCert: true}
