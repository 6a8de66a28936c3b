// Runs before the first paint, for which the explorer's own script comes too late. preferences.ts writes what is read here.
try {
  const theme = localStorage.getItem('ggen-theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage can be forbidden: the theme is then the system's.
}
