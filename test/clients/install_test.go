package clients

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// cacheDir keeps what is installed between runs, outside the tree.
func cacheDir(t *testing.T) string {
	t.Helper()
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "cordon-test")
}

// missing skips the test, with the reason; under CI it fails, because CI
// installs everything and a silent skip would be a hole.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// nodeFolder lays the programs of a folder and their SDKs, at the exact versions
// of its package.json, into own, which it returns.
func nodeFolder(t *testing.T, folder, own string) string {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, "%s is not installed, so the npm SDKs are not tested: install Node 18 or newer", program)
		}
	}
	wanted, err := os.ReadFile(filepath.Join(folder, "package.json"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cacheDir(t), fmt.Sprintf("node-%x", sha256.Sum256(wanted))[:25])
	if _, err := os.Stat(filepath.Join(dir, "node_modules")); err != nil {
		// Into a new folder first: an install that was ended must not be taken
		// for a whole one.
		if err := os.MkdirAll(cacheDir(t), 0o755); err != nil {
			t.Fatal(err)
		}
		fresh, err := os.MkdirTemp(cacheDir(t), "install-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(fresh)
		if err := os.WriteFile(filepath.Join(fresh, "package.json"), wanted, 0o644); err != nil {
			t.Fatal(err)
		}
		install := exec.Command("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
		install.Dir = fresh
		if out, err := install.CombinedOutput(); err != nil {
			missing(t, "npm install failed, so the npm SDKs are not tested: %v\n%s", err, out)
		}
		if err := os.Rename(fresh, dir); err != nil && !os.IsExist(err) {
			t.Fatal(err)
		}
	}
	// The programs lie beside node_modules, where ES modules look for packages.
	// own is this run's: another run may have other programs.
	if err := os.Symlink(filepath.Join(dir, "node_modules"), filepath.Join(own, "node_modules")); err != nil {
		t.Fatal(err)
	}
	programs, err := filepath.Glob(filepath.Join(folder, "*.?js"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(own, filepath.Base(p)), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return own
}

// goBuild builds a package into a folder and returns the program's path.
func goBuild(t *testing.T, dir, pkg, to string) string {
	t.Helper()
	program := filepath.Join(to, filepath.Base(pkg))
	build := exec.Command("go", "build", "-o", program, pkg)
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	return program
}

// stripeMock is Stripe's own mock, which checks requests against their OpenAPI.
func stripeMock(t *testing.T) string {
	t.Helper()
	const version = "v0.203.0"
	bin := filepath.Join(cacheDir(t), "stripe-mock-"+version)
	program := filepath.Join(bin, "stripe-mock")
	if _, err := os.Stat(program); err != nil {
		install := exec.Command("go", "install", "github.com/stripe/stripe-mock@"+version)
		install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
		install.Dir = os.TempDir() // outside of this module, whose go.mod it is no part of
		if out, err := install.CombinedOutput(); err != nil {
			missing(t, "stripe-mock could not be installed, so Stripe's SDKs are not tested: %v\n%s", err, out)
		}
	}
	return program
}
