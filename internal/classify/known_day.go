package classify

import "strconv"

// daysOf are the days that three words in a row may mean, as yyyymmdd: year,
// month and day in any of the orders in use, the month as a number or a name.
// Where day and month could change places there are two.
func daysOf(a, b, c string) (days [2]int) {
	x, y, z := dayNumber(a), dayNumber(b), dayNumber(c)
	switch {
	case x > 31: // 1990-04-23
		days[0] = dayOf(x, monthOf(b, y), z)
	case z > 31 && y > 0: // 23.04.1990, 04/23/1990, April 23, 1990
		days[0] = dayOf(z, monthOf(b, y), x)
		days[1] = dayOf(z, monthOf(a, x), y)
	case z > 31: // 23 April 1990
		days[0] = dayOf(z, monthOf(b, 0), x)
	}
	if days[0] == days[1] {
		days[1] = 0
	}
	return days
}

// dayNumber reads a number, "23rd" and "23th" too; 0 when it is none.
func dayNumber(w string) int {
	if len(w) > 2 && len(w) <= 4 && !allDigits(w) {
		switch w[len(w)-2:] {
		case "st", "nd", "rd", "th", "er":
			w = w[:len(w)-2]
		}
	}
	if len(w) > 4 || !allDigits(w) {
		return 0
	}
	n, _ := strconv.Atoi(w)
	return n
}

// monthOf is a month by its number or, when that is 0, by its name.
func monthOf(w string, n int) int {
	if n > 0 {
		return n
	}
	return months[w]
}

func dayOf(year, month, day int) int {
	if year < 1880 || year > 2100 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0
	}
	return year*10000 + month*100 + day
}

func dayWord(day int) string { return "=" + strconv.Itoa(day) }

// months by their names, folded, in the languages of most mail.
var months = func() map[string]int {
	m := map[string]int{}
	for _, language := range [][12]string{
		{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"},
		{"jan", "feb", "mar", "apr", "mai", "jun", "jul", "aug", "sep", "oct", "nov", "dec"},
		{"januar", "februar", "marz", "april", "mai", "juni", "juli", "august", "september", "oktober", "november", "dezember"},
		{"janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre"},
		{"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"},
		{"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"},
		{"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"},
		{"janeiro", "fevereiro", "marco", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro", "novembro", "dezembro"},
	} {
		for i, name := range language {
			m[name] = i + 1
		}
	}
	return m
}()
