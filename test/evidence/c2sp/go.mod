module c2sp

go 1.26.0

require (
	cordon v0.0.0
	filippo.io/torchwood v0.9.0
	golang.org/x/mod v0.42.0
)

require (
	github.com/RoaringBitmap/roaring/v2 v2.30.0 // indirect
	github.com/bits-and-blooms/bitset v1.24.4 // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/sync v0.19.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
)

replace cordon => ../../..
