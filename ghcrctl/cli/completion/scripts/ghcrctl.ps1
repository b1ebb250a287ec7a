# Completion of ghcrctl in PowerShell; `ghcrctl completion powershell` prints this.

Register-ArgumentCompleter -Native -CommandName ghcrctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $typed = $commandAst.Extent.Text
    $length = $cursorPosition - $commandAst.Extent.StartOffset
    # The AST omits trailing spaces.
    $line = $typed.PadRight($length).Substring(0, $length)
    # Some versions of PowerShell drop quotes within arguments, so encode the line.
    $packed = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($line))
    foreach ($one in @(& ghcrctl __complete powershell $packed 2>$null)) {
        $kind, $value, $help = $one -split "`t", 3
        if ($kind -eq 'file' -or $kind -eq 'dir') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
        } else {
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    }
}
