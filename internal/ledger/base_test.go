package ledger

import "testing"

// What imports do does not depend on whether people lie in the base or in the
// store: the tests of imports hold when every import makes a base.
func TestImportsComeOutAlikeInTheBase(t *testing.T) {
	testBaseFrom = 1
	defer func() { testBaseFrom = 0 }()
	for name, test := range map[string]func(*testing.T){
		"counts": TestDirectoryImportCountsNewChangedAndLeft, "shared": TestSharedAddressDoesNotMakeOnePersonOfTwo,
		"hashes": TestHashOfAKnownAddressIsThatPerson, "strangers": TestStrangerKnownByAHashIsThePersonOfTheAddressThatComesLater,
		"department": TestMailboxOfADepartmentMakesNoOnePersonOfIt, "unlink": TestOnlyLinksAreUndone,
	} {
		t.Run(name, test)
	}
}
