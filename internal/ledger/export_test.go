package ledger

// PointsEvery has imports make a waypoint every so many blocks, and a base of
// however few people.
func (l *Ledger) PointsEvery(blocks uint32, at func(blocks uint32)) {
	l.pointEvery, l.atPoint, l.baseFrom = blocks, at, 1
}

var OpenTest = openTest
