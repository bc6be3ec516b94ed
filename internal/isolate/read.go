package isolate

import "cordon/internal/exposure"

// ReadGate is the state that a vendor's gate file holds, for whoever reports
// without a server. A vendor without a file gives os.ErrNotExist; a damaged
// file reads as Cut, as it would at the next start.
func ReadGate(dir string, vendor exposure.VendorID, route string) (State, error) {
	p, err := mapPage(dir, vendor)
	if err != nil {
		return Cut, err
	}
	defer p.close()
	g := &Gate{vendor: vendor, seed: slotSeed(vendor, vendorKey)}
	g.page.Store(p)
	s, _ := g.State(route)
	return s, nil
}
