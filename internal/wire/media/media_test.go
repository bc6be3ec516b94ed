package media_test

import (
	"flag"
	"image"
	_ "image/gif"
	_ "image/jpeg"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"cordon/internal/wire/media"
	"cordon/internal/wire/wiretest"
)

var update = flag.Bool("update", false, "write what is read beside the files; then read it")

// files are small pictures and films about Anna, who does not exist, made with
// ffmpeg, cwebp and exiftool.
func files(t testing.TB) map[string]string {
	names, err := filepath.Glob("testdata/anna.*")
	if err != nil || len(names) < 8 {
		t.Fatalf("files in testdata: %v %v", names, err)
	}
	all := map[string]string{}
	for _, name := range names {
		if filepath.Ext(name) == ".want" {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(b)
	}
	return all
}

func TestPicturesAndFilms(t *testing.T) {
	for name, text := range files(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			tree := wiretest.Read(t, text, media.Read)
			want := name + ".want"
			if *update {
				os.WriteFile(want, []byte(tree.String()+"\n"), 0o644)
			}
			wanted, err := os.ReadFile(want)
			if err != nil {
				t.Fatal(err)
			}
			if got := tree.String() + "\n"; got != string(wanted) {
				t.Errorf("read\n%s\nwanted\n%s", got, wanted)
			}
		})
	}
}

// Everything goes: nobody finds anything any more, and the picture is the same.
func TestNothingIsLeftWhenEverythingGoes(t *testing.T) {
	dir := t.TempDir()
	for name, text := range files(t) {
		tree := wiretest.Read(t, text, media.Read)
		all := make([]int, len(tree.Leaves))
		for i := range all {
			all[i] = i
		}
		left, ok := tree.Drop(all...)
		if !ok {
			t.Fatalf("%s: refused", name)
		}
		wiretest.Read(t, left, media.Read).Want()
		samePicture(t, text, left)
		if err := os.WriteFile(filepath.Join(dir, "left"+filepath.Ext(name)), []byte(left), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	left, _ := filepath.Glob(dir + "/*")
	said := foreign(t, "exiftool", append([]string{"-a", "-G1", "-s", "-ee"}, left...)...)
	for _, word := range []string{"Anna", "Berg", "Bo ", "Müller", "MÃ¼ller", "Eva", "52 deg", "13 deg", "52,30", "13,22", "52.5", "13.37", "012345678901", "778899", "L-99",
		"abcdef012", "Pariser", "1234567", "Mitte", "family", "xmp.did", "example", "call me", "Köln", "Berlin"} {
		if strings.Contains(said, word) {
			t.Errorf("exiftool still finds %q:\n%s", word, said)
		}
	}
	if strings.Count(said, "FileType") != 2*len(left) { // the type, and its ending
		t.Errorf("exiftool does not know %d files:\n%s", len(left), said)
	}
	for _, file := range left {
		foreign(t, "ffmpeg", "-v", "error", "-xerror", "-i", file, "-f", "null", "-")
	}
}

func TestAnySetGoes(t *testing.T) {
	for name, text := range files(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			for _, pick := range []uint64{0, 1, 0x5555555555555555, 0xaaaaaaaaaaaaaaaa, 0x8888888888888888, 0x0f0f0f0f0f0f0f0f} {
				wiretest.Hold(t, text, media.Read, pick)
			}
			for i := range wiretest.Read(t, text, media.Read).Leaves {
				for _, value := range []string{"T", "Talin", "52.5", "-13.4", "u.k4t7pq@relay.example.com", "ä <&>"} {
					wiretest.HoldValue(t, text, media.Read, i, value)
				}
			}
		})
	}
}

func TestForeignProgramReadsNewValues(t *testing.T) {
	for _, name := range []string{"testdata/anna.jpg", "testdata/anna.tif", "testdata/anna.webp", "testdata/anna.avif"} {
		text := files(t)[name]
		tree := wiretest.Read(t, text, media.Read)
		values := map[int]string{}
		for i, f := range tree.Leaves {
			switch f.Path {
			case "exif.GPSLatitude":
				values[i] = "52.5"
			case "exif.GPSLongitude":
				values[i] = "-13.4"
			case "exif.Artist":
				values[i] = "Talin V."
			case "xmp.CiEmailWork":
				values[i] = "t@example.org"
			case "exif.XPAuthor":
				values[i] = "Zoë"
			}
		}
		written, ok := tree.Replace(values)
		if !ok || len(values) != 5 {
			t.Fatalf("%s: refused %v", name, values)
		}
		samePicture(t, text, written)
		file := filepath.Join(t.TempDir(), filepath.Base(name))
		if err := os.WriteFile(file, []byte(written), 0o644); err != nil {
			t.Fatal(err)
		}
		said := foreign(t, "exiftool", "-n", "-s3", "-EXIF:GPSLatitude", "-EXIF:GPSLongitude", "-EXIF:Artist", "-XMP:CreatorWorkEmail", "-EXIF:XPAuthor", "-Composite:GPSPosition", file)
		if want := "52.5\n13.4\nTalin V.\nt@example.org\nZoë\n52.5 -13.4\n"; said != want {
			t.Errorf("%s: exiftool reads %q, wanted %q", name, said, want)
		}
	}
}

// samePicture holds that Go sees the same picture in both, if it can read such
// pictures at all.
func samePicture(t *testing.T, a, b string) {
	t.Helper()
	before, _, err := image.Decode(strings.NewReader(a))
	if err != nil {
		return
	}
	after, _, err := image.Decode(strings.NewReader(b))
	if err != nil {
		t.Fatalf("the picture cannot be read any more: %v", err)
	}
	for y := range before.Bounds().Dy() {
		for x := range before.Bounds().Dx() {
			if before.At(x, y) != after.At(x, y) {
				t.Fatalf("another picture at %d,%d", x, y)
			}
		}
	}
}

// foreign runs a program that is no part of this one.
func foreign(t *testing.T, program string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed: what others read in the result is not checked", program)
	}
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, out)
	}
	return string(out)
}

func BenchmarkPhoto(b *testing.B) {
	text := files(b)["testdata/anna.jpg"]
	picture := strings.Index(text, "\xff\xda")
	wiretest.Bench(b, text[:picture+14]+strings.Repeat("coded picture", 100000)+text[picture+14:], media.Read)
}
