package gateway_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkPipeline sends 1 KiB of JSON through the whole pipeline (real ledger,
// real gates) and through a plain ReverseProxy, in turns, and reports the ratio
// of their rates. The figures of CPU are the whole process's a request, with
// client and vendor in it, and steadier than the rates on a busy machine. Run it
// with -benchtime 1x; a round takes some seconds.
func BenchmarkPipeline(b *testing.B) {
	vendor := plainVendor(b)
	bed := start(b, setup{upstream: vendor})
	u, _ := url.Parse(vendor)
	rp := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(u); r.Out.Header.Set("Authorization", "Bearer x") },
		Transport: &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true},
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	plain := &http.Server{Handler: rp}
	go plain.Serve(ln)
	defer plain.Close()

	body := `{"email":"ada@example.org","name":"Ada","text":"` + strings.Repeat("lorem ipsum ", 79) + `"}`
	for _, conns := range []int{1, 32, 128} {
		b.Run(fmt.Sprint(conns), func(b *testing.B) {
			var ours, theirs, oursCPU, theirsCPU []float64
			for range max(3, b.N) {
				r, cpu := rate(b, ln.Addr().String(), "/send", body, conns)
				theirs, theirsCPU = append(theirs, r), append(theirsCPU, cpu)
				r, cpu = rate(b, strings.TrimPrefix(bed.route, "http://"), "/acme/send", body, conns)
				ours, oursCPU = append(ours, r), append(oursCPU, cpu)
			}
			o, r := median(ours), median(theirs)
			b.ReportMetric(median(oursCPU), "cpu-us")
			b.ReportMetric(median(theirsCPU), "reverseproxy-cpu-us")
			b.ReportMetric(o, "req/s")
			b.ReportMetric(r, "reverseproxy-req/s")
			b.ReportMetric(o/r, "ratio")
			b.ReportMetric(float64(conns)*1e6/o-float64(conns)*1e6/r, "added-us")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(v []float64) float64 {
	for i := range v {
		for j := i; j > 0 && v[j] < v[j-1]; j-- {
			v[j], v[j-1] = v[j-1], v[j]
		}
	}
	return v[len(v)/2]
}

// plainVendor answers 200 bytes and keeps nothing.
func plainVendor(b *testing.B) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(b, err)
	answer := []byte(strings.Repeat("x", 200))
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Write(answer)
	})}
	go s.Serve(ln)
	b.Cleanup(func() { s.Close() })
	return "http://" + ln.Addr().String()
}

// rate drives raw keep-alive connections for a second: requests a second, and
// microseconds of the process's CPU a request.
func rate(b *testing.B, addr, path, body string, conns int) (float64, float64) {
	request := []byte(fmt.Sprintf("POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body))
	var n atomic.Int64
	var counting atomic.Bool
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range conns {
		c, err := net.Dial("tcp", addr)
		check(b, err)
		wg.Go(func() {
			defer c.Close()
			br := bufio.NewReader(c)
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := c.Write(request); err != nil {
					b.Error(err)
					return
				}
				resp, err := http.ReadResponse(br, nil)
				if err != nil || resp.StatusCode != 200 {
					b.Error(err, resp)
					return
				}
				io.Copy(io.Discard, resp.Body)
				if counting.Load() {
					n.Add(1)
				}
			}
		})
	}
	time.Sleep(200 * time.Millisecond)
	counting.Store(true)
	start, used := time.Now(), cpu()
	time.Sleep(time.Second)
	counting.Store(false)
	used = cpu() - used
	took := time.Since(start)
	close(stop)
	wg.Wait()
	return float64(n.Load()) / took.Seconds(), float64(used.Microseconds()) / float64(n.Load())
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
