module clients

go 1.26.0

require (
	github.com/sendgrid/sendgrid-go v3.16.1+incompatible
	github.com/stripe/stripe-go/v82 v82.5.1
	photos v0.0.0
)

require github.com/sendgrid/rest v2.6.9+incompatible // indirect

replace photos => ../../examples/photos
